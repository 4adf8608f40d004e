import { API_SERVER } from './api-server.ts';
import { FACADE } from './facade.ts';
import { HYPERVISOR } from './hypervisor.ts';
import { play } from './play.ts';

/** Most of their time they wait, each for its own lock or backoff: on one stage they wait together. */
play('between the parts', [...FACADE, ...HYPERVISOR, ...API_SERVER], { atOnce: 24 });
