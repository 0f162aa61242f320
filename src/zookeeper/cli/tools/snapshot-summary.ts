/** zkSnapshotRecursiveSummaryToolkit.sh: how many nodes and bytes lie below each node of a snapshot. */
import { type DataTree, NO_NODE } from '../../tree/data-tree.ts';
import { childrenInOrder, loadForTool } from './loaded-snapshot.ts';
import { ExitCode, runTool, ToolError, type ToolIo } from './tool.ts';

const usage = `USAGE:


SnapshotRecursiveSummary  <snapshot_file>  <starting_node>  <max_depth>


snapshot_file:    path to the zookeeper snapshot
starting_node:    the path in the zookeeper tree where the traversal should begin
max_depth:        defines the depth where the tool still writes to the output. 0 means there is no depth limit, every non-leaf node's stats will be displayed, 1 means it will only contain the starting node's and it's children's stats, 2 ads another level and so on. This ONLY affects the level of details displayed, NOT the calculation.`;

/** Answers the exit code. */
export function snapshotSummary(args: readonly string[], io: ToolIo): number {
  const [file = '', start = '', depth = ''] = args;
  if (args.length !== 3 || !/^[+-]?\d{1,10}$/.test(depth)) {
    io.complain(usage);
    return ExitCode.invalidInvocation;
  }
  const { tree } = loadForTool(file);
  if (tree.find(start === '/' ? '' : start) === NO_NODE) throw new ToolError(`Node does not exist: ${start}`);
  const lines: string[] = [];
  summarize(tree, { path: start, level: 0, depthMax: Number(depth) }, lines);
  io.write(`${lines.map((line) => `${line}\n`).join('')}\n`);
  return ExitCode.finished;
}

interface Place {
  readonly path: string;
  readonly level: number;
  /** 0: no limit. */
  readonly depthMax: number;
}

/** Adds the lines of a node and of what is below it; answers how many nodes and bytes those are. */
function summarize(tree: DataTree, place: Place, lines: string[]): { nodes: number; bytes: number } {
  const { path, level, depthMax } = place;
  const node = tree.find(path === '/' ? '' : path);
  const sum = { nodes: 1, bytes: tree.dataLength(node) };
  const children = childrenInOrder(tree, node);
  if (children.length === 0) return sum;
  const isShown = depthMax === 0 || level <= depthMax;
  const below: string[] = [];
  for (const name of children) {
    const child = summarize(tree, { path: `${path === '/' ? '' : path}/${name}`, level: level + 1, depthMax }, below);
    sum.nodes += child.nodes;
    sum.bytes += child.bytes;
  }
  if (isShown) {
    const indent = '--'.repeat(level);
    lines.push(`${indent} ${path}`, `${indent}   children: ${sum.nodes - 1}`, `${indent}   data: ${sum.bytes}`);
    for (const line of below) lines.push(line);
  }
  return sum;
}

if (import.meta.main) await runTool(snapshotSummary);
