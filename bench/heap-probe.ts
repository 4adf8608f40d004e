/**
 * Preloaded into a process that is measured (`node --import`): on SIGUSR2 it collects garbage and writes what is
 * left to the file that HEAP_FILE names. Until then it does nothing.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env['HEAP_FILE'];
if (file !== undefined)
  process.on('SIGUSR2', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    collect();
    collect(); // what the first round only finalized
    writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
    renameSync(`${file}.new`, file);
  });
