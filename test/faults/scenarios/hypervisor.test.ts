import { HYPERVISOR } from './hypervisor.ts';
import { play } from './play.ts';

play('hypervisor', HYPERVISOR);
