import { CONTROL_PLANE, playOnOwnControlPlane } from './control-plane.ts';

playOnOwnControlPlane('control plane', CONTROL_PLANE);
