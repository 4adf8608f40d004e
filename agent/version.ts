/** The version of this program: that of the package, also inside the bundled file. */
import manifest from '../package.json' with { type: 'json' };

export const VERSION: string = manifest.version;
