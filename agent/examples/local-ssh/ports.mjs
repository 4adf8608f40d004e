/** Ports for instances: below the range that the kernel gives to outgoing connections, so they stay free while one is stopped. */
import { createServer } from 'node:net';
import { Refusal } from './refusal.mjs';
import { HOST } from './settings.mjs';

const FIRST = 22_000;
const LAST = 31_999;

/**
 * A port that nobody has, now or remembered.
 * @param {ReadonlySet<number>} taken ports of other instances, also of stopped ones
 */
export async function choosePort(taken) {
  const range = LAST - FIRST + 1;
  const first = Math.floor(Math.random() * range);
  for (let offset = 0; offset < range; offset++) {
    const port = FIRST + ((first + offset) % range);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Refusal('capacity', `every port from ${FIRST} to ${LAST} is taken on this host`);
}

/** @param {number} port @returns {Promise<boolean>} */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}
