import { play } from './play.ts';
import { PROGRAMS } from './programs.ts';

/** Another operator stands by: whoever is killed is followed. */
play('programs', PROGRAMS, { operators: 2, lease: 'Short' });
