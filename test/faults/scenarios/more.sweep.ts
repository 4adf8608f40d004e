/** The plans that are too many for every run. */
import { MORE_OF_API_SERVER } from './api-server.ts';
import { MORE_OF_CONTROL_PLANE, playOnOwnControlPlane } from './control-plane.ts';
import { MORE_OF_FACADE } from './facade.ts';
import { MORE_OF_HYPERVISOR } from './hypervisor.ts';
import { play } from './play.ts';
import { MORE_OF_PROGRAMS } from './programs.ts';

play('more', [...MORE_OF_API_SERVER, ...MORE_OF_FACADE, ...MORE_OF_HYPERVISOR]);
play('more of programs', MORE_OF_PROGRAMS, { operators: 2, lease: 'Short' });
playOnOwnControlPlane('more of the control plane', MORE_OF_CONTROL_PLANE);
