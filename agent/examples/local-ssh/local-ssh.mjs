#!/usr/bin/env node
/** Example for dc-agent's script provisioner: instances are processes with an SSH server. See README.md. */
import { text } from 'node:stream/consumers';
import { ACTIONS } from './actions.mjs';
import { Refusal } from './refusal.mjs';
import { parseRequest } from './request.mjs';
import { rootFolder } from './settings.mjs';

/** @param {string} input */
async function answer(input) {
  const request = parseRequest(input);
  const name = String(request['action']);
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!action)
    throw new Refusal('configuration', `unknown action ${name}; known: ${Object.keys(ACTIONS).join(', ')}`);
  return { success: true, ...(await action(rootFolder(process.env), request)) };
}

/** @param {unknown} error */
function refusal(error) {
  if (error instanceof Refusal) {
    const { message, errorClass } = error;
    return { success: false, error: message, class: errorClass, retry_possible: errorClass === 'transient' };
  }
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  return { success: false, error: String(error), class: 'transient', retry_possible: true };
}

process.umask(0o022); // the folders that tenants pass through must not depend on who started the agent
process.stdout.write(`${JSON.stringify(await answer(await text(process.stdin)).catch(refusal))}\n`);
