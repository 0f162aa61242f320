/** zkSnapshotComparer.sh: where two snapshots differ in bytes or nodes, layer by layer. */
import { basename } from 'node:path';
import { loadForTool } from './loaded-snapshot.ts';
import { SnapshotSizes, type SubtreeSize } from './snapshot-sizes.ts';
import { ExitCode, runTool, ToolError, type ToolIo } from './tool.ts';
import { parseToolOptions, type ToolOption } from './tool-options.ts';

const optionTable: readonly ToolOption[] = [
  { short: 'l', long: 'left', kind: 'value' },
  { short: 'r', long: 'right', kind: 'value' },
  { short: 'b', long: 'bytes', kind: 'value' },
  { short: 'n', long: 'nodes', kind: 'value' },
  { short: 'd', long: 'debug', kind: 'flag' },
  { short: 'i', long: 'interactive', kind: 'flag' },
];

const help = `usage: java -cp <classPath> org.apache.zookeeper.server.SnapshotComparer
 -b,--bytes <BYTETHRESHOLD>   (Required) The node data delta size threshold, in bytes, for printing the node.
 -d,--debug                   Use debug output.
 -i,--interactive             Enter interactive mode.
 -l,--left <LEFT>             (Required) The left snapshot file.
 -n,--nodes <NODETHRESHOLD>   (Required) The descendant node delta size threshold, in nodes, for printing the node.
 -r,--right <RIGHT>           (Required) The right snapshot file.
`;

interface Invocation {
  readonly left: string;
  readonly right: string;
  readonly bytesThreshold: number;
  readonly nodesThreshold: number;
  readonly debug: boolean;
  readonly interactive: boolean;
}

/** Answers the exit code. */
export async function snapshotComparer(args: readonly string[], io: ToolIo): Promise<number> {
  const invocation = parse(args, io);
  if (invocation === undefined) return ExitCode.invalidInvocation;
  io.write('Successfully parsed options!\n');
  const [left, right] = [measure(invocation.left, io), measure(invocation.right, io)];
  for (const sizes of [left, right]) io.write(`${sizes.summary()}\n`);
  await new Comparison(io, left, right, invocation).run();
  return ExitCode.finished;
}

function parse(args: readonly string[], io: ToolIo): Invocation | undefined {
  try {
    const { options } = parseToolOptions(args, optionTable);
    const missing = ['l', 'r', 'b', 'n'].filter((name) => !options.has(name));
    if (missing.length > 0) {
      throw new ToolError(`Missing required option${missing.length > 1 ? 's' : ''}: ${missing.join(', ')}`);
    }
    return {
      left: options.get('l') as string,
      right: options.get('r') as string,
      bytesThreshold: integerOf(options.get('b') as string),
      nodesThreshold: integerOf(options.get('n') as string),
      debug: options.has('d'),
      interactive: options.has('i'),
    };
  } catch (error) {
    if (!(error instanceof ToolError) || error instanceof NumberError) throw error;
    io.complain(error.message);
    io.write(help);
    return undefined;
  }
}

/** Not a mistake of the options: Apache's tool shows no usage. */
class NumberError extends ToolError {}

function integerOf(text: string): number {
  const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= -(2 ** 31) && value < 2 ** 31)) throw new NumberError(`For input string: "${text}"`);
  return value;
}

function measure(path: string, io: ToolIo): SnapshotSizes {
  const started = performance.now();
  const { tree } = loadForTool(path);
  io.write(`Deserialized snapshot in ${basename(path)} in ${secondsSince(started)} seconds\n`);
  const loaded = performance.now();
  const sizes = new SnapshotSizes(tree);
  io.write(`Processed data tree in ${secondsSince(loaded)} seconds\n`);
  return sizes;
}

function secondsSince(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(6);
}

class Comparison {
  readonly #io: ToolIo;
  readonly #left: SnapshotSizes;
  readonly #right: SnapshotSizes;
  readonly #invocation: Invocation;

  constructor(io: ToolIo, left: SnapshotSizes, right: SnapshotSizes, invocation: Invocation) {
    this.#io = io;
    this.#left = left;
    this.#right = right;
    this.#invocation = invocation;
  }

  async run(): Promise<void> {
    if (this.#invocation.interactive) await this.#converse();
    else {
      this.#printThresholds();
      for (let depth = 0; depth < this.#depths; depth += 1) await this.#layer(depth);
    }
    this.#line('All layers compared.');
  }

  get #depths(): number {
    return Math.max(this.#left.depths.length, this.#right.depths.length);
  }

  async #converse(): Promise<void> {
    for (let depth = 0; depth < this.#depths; ) {
      this.#line(`Current depth is ${depth}`);
      this.#line('- Press enter to move to print current depth layer;');
      this.#line('- Type a number to jump to and print all nodes at a given depth;');
      this.#line("- Enter an ABSOLUTE path to print the immediate subtree of a node. Path must start with '/'.");
      const input = await this.#io.readLine();
      if (input === undefined) throw new ToolError('No line found');
      this.#printThresholds();
      const wanted = /^[+-]?\d{1,10}$/.test(input) ? Number(input) : undefined;
      if (input === '') {
        await this.#layer(depth);
        depth += 1;
      } else if (input.startsWith('/')) {
        await this.#subtree(input);
      } else if (wanted === undefined) {
        this.#line(
          `Input ${input} is not valid. Depth must be in range [0, ${this.#depths - 1}]. Path must be an absolute path which starts with '/'.`,
        );
      } else if (wanted < 0 || wanted >= this.#depths) {
        this.#line(`Depth must be in range [0, ${this.#depths - 1}]`);
        continue;
      } else {
        depth = wanted;
        await this.#layer(depth);
      }
      this.#line('');
    }
  }

  async #layer(depth: number): Promise<void> {
    this.#line(`Analysis for depth ${depth}`);
    await this.#compare(this.#left.depths[depth] ?? [], this.#right.depths[depth] ?? []);
  }

  async #subtree(path: string): Promise<void> {
    this.#line(`Analysis for node ${path}`);
    const [left, right] = [this.#left.find(path), this.#right.find(path)];
    if (left === undefined && right === undefined) {
      this.#line(`Path ${path} is neither found in left tree nor right tree.`);
    } else await this.#compare(left?.children ?? [], right?.children ?? []);
  }

  async #compare(lefts: readonly SubtreeSize[], rights: readonly SubtreeSize[]): Promise<void> {
    const [left, right] = [sortedByPath(lefts), sortedByPath(rights)];
    const debug = (text: string): void => {
      if (this.#invocation.debug) this.#line(text);
    };
    for (let [l, r] = [0, 0]; l < left.length || r < right.length; ) {
      const [mine, other] = [left[l], right[r]];
      if (mine !== undefined && other !== undefined) debug(`Comparing ${mine.path} to ${other.path}`);
      if (mine !== undefined && other !== undefined && mine.path === other.path) {
        debug('same');
        this.#both(mine, other);
        l += 1;
        r += 1;
      } else if (other === undefined || (mine !== undefined && mine.path < other.path)) {
        if (other !== undefined) debug('left is less');
        this.#one(mine as SubtreeSize, 'left');
        l += 1;
      } else {
        if (mine !== undefined) debug('right is less');
        this.#one(other, 'right');
        r += 1;
      }
      await this.#io.room();
    }
  }

  #one({ path, bytes, nodes }: SubtreeSize, side: 'left' | 'right'): void {
    const { bytesThreshold, nodesThreshold } = this.#invocation;
    if (bytes > bytesThreshold || nodes > nodesThreshold) {
      this.#line(`Node ${path} found only in ${side} tree. Descendant size: ${bytes}. Descendant count: ${nodes}`);
    } else this.#filtered(`Filtered ${side} node ${path} of size ${bytes}`);
  }

  #both(left: SubtreeSize, right: SubtreeSize): void {
    const { bytesThreshold, nodesThreshold } = this.#invocation;
    const [bytes, nodes] = [right.bytes - left.bytes, right.nodes - left.nodes];
    if (Math.abs(bytes) > bytesThreshold || Math.abs(nodes) > nodesThreshold) {
      this.#line(`Node ${left.path} found in both trees. Delta: ${bytes} bytes, ${nodes} descendants`);
    } else {
      this.#filtered(`Filtered node ${left.path} of left size ${left.bytes}, right size ${right.bytes}`);
    }
  }

  #filtered(text: string): void {
    if (this.#invocation.debug || this.#invocation.interactive) this.#line(text);
  }

  #printThresholds(): void {
    const { bytesThreshold, nodesThreshold } = this.#invocation;
    this.#line(
      `Printing analysis for nodes difference larger than ${bytesThreshold} bytes or node count difference larger than ${nodesThreshold}.`,
    );
  }

  #line(text: string): void {
    this.#io.write(`${text}\n`);
  }
}

function sortedByPath(nodes: readonly SubtreeSize[]): SubtreeSize[] {
  return [...nodes].sort((a, b) => (a.path < b.path ? -1 : 1));
}

if (import.meta.main) await runTool(snapshotComparer);
