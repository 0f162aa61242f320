/** zkSnapShotToolkit.sh: a snapshot as text, or as JSON for ncdu. */
import { hexOf, type Zxid } from '../../jute/ids.ts';
import type { LoadedSnapshot } from '../../persistence/snapshot-body.ts';
import type { DataTree, NodeId } from '../../tree/data-tree.ts';
import { javaDate } from '../java-date.ts';
import { hashOrder, longHash } from './java-hash.ts';
import { childrenInOrder, fileProblem, loadForTool, zxidOfName } from './loaded-snapshot.ts';
import { ExitCode, runTool, type ToolIo } from './tool.ts';

const usage = [
  'USAGE: SnapshotFormatter [-d|-json] snapshot_file',
  '       -d dump the data for each znode',
  '       -json dump znode info in json format',
];

/** Answers the exit code. */
export async function snapshotFormatter(args: readonly string[], io: ToolIo): Promise<number> {
  const fileAt = args.findIndex((arg) => arg !== '-d' && arg !== '-json');
  const path = args[fileAt];
  if (path === undefined || fileAt !== args.length - 1) return refuse(io, usage);
  const problem = fileProblem(path);
  if (problem !== undefined) return refuse(io, [problem]);
  const [dumpsData, asJson] = [args.includes('-d'), args.includes('-json')];
  if (dumpsData && asJson) {
    return refuse(io, ['Cannot specify both data dump (-d) and json mode (-json) in same call']);
  }
  const loaded = loadForTool(path);
  if (asJson) await new JsonDump(io, loaded.tree).print();
  else await new TextDump(io, loaded, dumpsData).print(zxidOfName(path));
  return ExitCode.finished;
}

function refuse(io: ToolIo, lines: readonly string[]): number {
  for (const line of lines) io.complain(line);
  return ExitCode.invalidInvocation;
}

/** A node, then each of its children with what is below it. */
interface Step {
  readonly path: string;
  readonly node: NodeId;
}

function stepsBelow(tree: DataTree, { path, node }: Step): Step[] {
  const prefix = path === '/' ? '' : path;
  return childrenInOrder(tree, node).map((name) => {
    const child = `${prefix}/${name}`;
    return { path: child, node: tree.find(child) };
  });
}

class TextDump {
  readonly #io: ToolIo;
  readonly #loaded: LoadedSnapshot;
  readonly #dumpsData: boolean;

  constructor(io: ToolIo, loaded: LoadedSnapshot, dumpsData: boolean) {
    this.#io = io;
    this.#loaded = loaded;
    this.#dumpsData = dumpsData;
  }

  async print(fileZxid: Zxid): Promise<void> {
    const { tree, sessions } = this.#loaded;
    this.#line(`ZNode Details (count=${tree.nodeCount}):`);
    let newest = fileZxid;
    for (const stack: Step[] = [{ path: '/', node: tree.find('') }]; stack.length > 0; ) {
      const step = stack.pop() as Step;
      this.#printNode(step);
      for (const zxid of [tree.mzxid(step.node), tree.pzxid(step.node)]) if (zxid > newest) newest = zxid;
      stack.push(...stepsBelow(tree, step).reverse());
      await this.#io.room();
    }
    this.#line('----');
    this.#line('Session Details (sid, timeout, ephemeralCount):');
    for (const session of hashOrder(sessions.keys(), longHash)) {
      this.#line(`${paddedHex(session)}, ${sessions.get(session)}, ${tree.ephemeralsOf(session).size}`);
    }
    this.#line('----');
    this.#line(`Last zxid: 0x${hexOf(newest)}`);
  }

  #printNode({ path, node }: Step): void {
    const { tree } = this.#loaded;
    const stat = tree.persistedStat(node);
    const data = tree.viewData(node);
    for (const line of [
      '----',
      path,
      `  cZxid = ${paddedHex(stat.czxid)}`,
      `  ctime = ${javaDate(stat.ctime)}`,
      `  mZxid = ${paddedHex(stat.mzxid)}`,
      `  mtime = ${javaDate(stat.mtime)}`,
      `  pZxid = ${paddedHex(stat.pzxid)}`,
      `  cversion = ${stat.cversion}`,
      `  dataVersion = ${stat.version}`,
      `  aclVersion = ${stat.aversion}`,
      `  ephemeralOwner = ${paddedHex(stat.ephemeralOwner)}`,
      this.#dumpsData
        ? `  data = ${Buffer.from(data ?? []).toString('base64')}`
        : `  dataLength = ${data?.length ?? 0}`,
    ]) {
      this.#line(line);
    }
  }

  #line(text: string): void {
    this.#io.write(`${text}\n`);
  }
}

/** `%#016x`: sixteen characters with the prefix. */
function paddedHex(value: bigint): string {
  return `0x${hexOf(value).padStart(14, '0')}`;
}

/** The export format of ncdu: a directory is a list that begins with itself. */
class JsonDump {
  readonly #io: ToolIo;
  readonly #tree: DataTree;
  /** So that ncdu takes each node for another file. */
  #inode = 1000;

  constructor(io: ToolIo, tree: DataTree) {
    this.#io = io;
    this.#tree = tree;
  }

  async print(): Promise<void> {
    this.#io.write(`[1,0,{"progname":"SnapshotFormatter.java","progver":"0.01","timestamp":${Date.now()}}`);
    // An undefined step closes the list of a directory.
    const stack: (Step | undefined)[] = [{ path: '/', node: this.#tree.find('') }];
    while (stack.length > 0) {
      const step = stack.pop();
      if (step === undefined) {
        this.#io.write(']');
        continue;
      }
      const children = stepsBelow(this.#tree, step);
      this.#io.write(`,${children.length > 0 ? '[' : ''}${this.#node(step)}`);
      if (children.length > 0) stack.push(undefined, ...children.reverse());
      await this.#io.room();
    }
    this.#io.write(']');
  }

  #node({ path, node }: Step): string {
    const name = path === '/' ? path : path.slice(path.lastIndexOf('/') + 1);
    const size = this.#tree.dataLength(node);
    this.#inode += 1;
    return `{"name":"${jsonText(name)}","asize":${size},"dsize":${size},"dev":0,"ino":${this.#inode}}`;
  }
}

const shortEscapes: { readonly [char: string]: string } = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

function jsonText(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
    /["\\\u0000-\u001f]/g,
    (char) => shortEscapes[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

if (import.meta.main) await runTool(snapshotFormatter);
