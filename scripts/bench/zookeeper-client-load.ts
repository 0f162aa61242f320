/** One client under one load for some seconds: `node … CLIENT LOAD CONNECT SECONDS`, which prints a line of JSON. */
import { connectZookeeper } from '../../src/zookeeper/client/index.ts';

const [client = '', load = '', connect = '', seconds = '1'] = process.argv.slice(2);
const PATH = '/bench-node';
const DATA = Buffer.alloc(100, 'x');

/** What the loads ask of a client, by a callback each, which costs least for both. */
interface Asking {
  get(done: () => void): void;
  set(done: () => void): void;
  children(done: () => void): void;
  close(): void;
}

const asking = client === 'ours' ? await ours() : await theirs();
const ask = load.startsWith('set') ? asking.set : load.startsWith('getChildren') ? asking.children : asking.get;
const inFlight = load.includes('one by one') ? 1 : 128;
await during(Number(seconds) / 4);
const cpu = process.cpuUsage();
const begun = performance.now();
const count = await during(Number(seconds));
const elapsed = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(JSON.stringify({ perSecond: count / elapsed, cpuMicros: (user + system) / count }));
asking.close();

/** Keeps so many requests under way; resolves with how many were answered. */
function during(length: number): Promise<number> {
  return new Promise((resolve) => {
    const endMs = performance.now() + length * 1000;
    let answered = 0;
    let open = 0;
    const next = (): void => {
      open += 1;
      ask(() => {
        open -= 1;
        answered += 1;
        if (performance.now() < endMs) next();
        else if (open === 0) resolve(answered);
      });
    };
    for (let index = 0; index < inFlight; index += 1) next();
  });
}

async function ours(): Promise<Asking> {
  const zookeeper = connectZookeeper({ connect });
  await zookeeper.create(PATH, DATA).catch(() => undefined);
  const watch = (): void => undefined;
  return {
    get: (done) => void zookeeper.getData(PATH).then(done),
    set: (done) => void zookeeper.setData(PATH, DATA).then(done),
    children: (done) => void zookeeper.getChildren('/', { watch }).then(done),
    close: () => void zookeeper.close(),
  };
}

async function theirs(): Promise<Asking> {
  const { default: library } = await import('node-zookeeper-client' as string);
  const zookeeper = library.createClient(connect);
  await new Promise<void>((resolve) => {
    zookeeper.once('connected', resolve);
    zookeeper.connect();
  });
  await new Promise<void>((resolve) => zookeeper.create(PATH, DATA, () => resolve()));
  const watch = (): void => undefined;
  return {
    get: (done) => zookeeper.getData(PATH, done),
    set: (done) => zookeeper.setData(PATH, DATA, done),
    children: (done) => zookeeper.getChildren('/', watch, done),
    close: () => zookeeper.close(),
  };
}
