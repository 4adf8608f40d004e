import { FACADE } from './facade.ts';
import { play } from './play.ts';

play('facade', FACADE);
