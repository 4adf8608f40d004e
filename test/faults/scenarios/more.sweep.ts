/** The plans that are too many for every run. */
import { MORE_OF_API_SERVER } from './api-server.ts';
import { MORE_OF_FACADE } from './facade.ts';
import { MORE_OF_HYPERVISOR } from './hypervisor.ts';
import { play } from './play.ts';

play('more', [...MORE_OF_API_SERVER, ...MORE_OF_FACADE, ...MORE_OF_HYPERVISOR]);
