import { API_SERVER } from './api-server.ts';
import { play } from './play.ts';

play('api server', API_SERVER);
