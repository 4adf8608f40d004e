// An operator as the README of @dot-i/k8s-operator shows it; copied by probe.ts beside the installed package.
// It prints one line per thing that happens: `<what> <object> <data.n>`.
const { default: Operator } = require('@dot-i/k8s-operator');

const say = (...words) => console.log(words.join(' '));
const { NAMESPACE, WORK_MS = '0', MODE = 'watch' } = process.env;

class Probe extends Operator {
  constructor() {
    super({ debug: () => {}, info: () => {}, warn: () => {}, error: (message) => say('logged', message) });
  }
  async init() {
    await this.watchResource('', 'v1', 'configmaps', (event) => this.handle(event), NAMESPACE);
    say('watching');
  }
  async handle(event) {
    const { name } = event.meta;
    say('begin', name, event.object.data?.n);
    await new Promise((resolve) => setTimeout(resolve, Number(WORK_MS)));
    if (MODE === 'throw' && event.object.data?.n === 'bad') throw new Error('handler failed');
    if (MODE === 'finalizer') {
      const done = await this.handleResourceFinalizer(event, 'example.com/probe', async () => {});
      say('finalizer', name, `answered-${done}`);
    }
    say('end', name, event.object.data?.n);
  }
}

new Probe().start();
