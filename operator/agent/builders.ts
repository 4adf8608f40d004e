/** What the tests of decisions about agents share. */
import { NO_LOAD } from '../../crds/placement/load.ts';
import type { Work } from './figures.ts';

/** It builds nothing, never did, and of its size nothing is known. */
export const NO_WORK: Work = { load: NO_LOAD, prepared: undefined, health: undefined };
