#!/usr/bin/env node
/**
 * The script provisioner of agents that are processes: hands its request to the ledger server of the test over
 * loopback and prints what that answers. `DC_LEDGER` is `port/host`. When the server cuts the connection it dies
 * without an answer, as a program does that crashes.
 */
import { connect } from 'node:net';
import process from 'node:process';

const [port = '', host = ''] = (process.env['DC_LEDGER'] ?? '').split('/');

/** @type {Buffer[]} */
const request = [];
for await (const chunk of process.stdin) request.push(chunk);

const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
socket.end(`${host}\n${Buffer.concat(request).toString('utf8')}`);
let answer = '';
try {
  for await (const chunk of socket) answer += chunk;
} catch {
  answer = '';
}
if (answer === '') {
  process.stderr.write('the ledger server cut the connection\n');
  process.exitCode = 1;
} else process.stdout.write(answer);
