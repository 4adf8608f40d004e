#!/usr/bin/env node
/** Starts dc-agent from the checkout with the Node that runs this file; the installer ships one bundled file. */
import '../main.ts';
