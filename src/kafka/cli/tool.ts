import { readFileSync } from 'node:fs';
import { ConfigError } from '../../config/config-error.ts';
import { readProperties } from '../../config/properties.ts';
import { nodeRuntime } from '../../runtime/node/node-runtime.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ClientUsageError } from '../client/client-errors.ts';
import { OptionError, type OptionSpec, type ParsedOptions } from './option-parser.ts';
import { optionTable } from './option-table.ts';

/** What a tool has of the world besides the runtime. */
export interface ToolIo {
  out(text: string | Uint8Array): void;
  err(text: string): void;
  readonly input: AsyncIterable<Uint8Array>;
  /** A person types. */
  readonly isInteractive: boolean;
  /** Answers how to stop listening. */
  onInterrupt(listener: () => void): () => void;
}

/** The tool's exit code. */
export type Tool = (args: readonly string[], io: ToolIo, runtime: Runtime) => Promise<number>;

/** Ends a tool: what it still prints, and its exit code. */
export class ToolExit extends Error {
  readonly code: number;
  readonly stderr: string;

  constructor(stderr: string, code = 1) {
    super(stderr);
    this.name = 'ToolExit';
    this.code = code;
    this.stderr = stderr;
  }
}

/** A wrong command line: the reason, then the table of options. */
export function usageExit(message: string, specs: readonly OptionSpec[]): ToolExit {
  return new ToolExit(`${message}\n${optionTable(specs)}`);
}

export function requireOption(options: ParsedOptions, specs: readonly OptionSpec[], ...names: readonly string[]): void {
  for (const name of names) {
    if (!options.has(name)) throw usageExit(`Missing required argument "[${name}]"`, specs);
  }
}

/** @param invalid options that do not go with `name` */
export function refuseWith(
  options: ParsedOptions,
  specs: readonly OptionSpec[],
  name: string,
  invalid: readonly string[],
): void {
  if (!options.has(name)) return;
  for (const other of invalid) {
    if (options.has(other)) throw usageExit(`Option "[${name}]" can't be used with option "[${other}]"`, specs);
  }
}

/** A file of `key=value` lines. */
export function propertiesFile(path: string | undefined): Map<string, string> {
  if (path === undefined) return new Map();
  try {
    return readProperties(readFileSync(path));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ToolExit(`${path} (No such file or directory)\n`);
  }
}

/** `key=value` arguments; later ones win. */
export function keyValues(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw new ToolExit(`Invalid command line properties: ${pair}\n`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** Runs a tool in this process: log lines of clients go to standard error, as Apache's tools-log4j has it. */
export async function runTool(tool: Tool): Promise<void> {
  const runtime = nodeRuntime({ logStream: process.stderr, logLevel: 'warn' });
  const code = await guarded(tool, process.argv.slice(2), processIo(), runtime);
  // What is written must reach a pipe's reader before the process ends.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

/** @internal also for tests: errors become text and an exit code */
export async function guarded(tool: Tool, args: readonly string[], io: ToolIo, runtime: Runtime): Promise<number> {
  try {
    return await tool(args, io, runtime);
  } catch (error) {
    if (error instanceof ToolExit) {
      io.err(error.stderr);
      return error.code;
    }
    if (error instanceof OptionError) {
      io.err(`Exception in thread "main" joptsimple.${error.exception}: ${error.message}\n`);
      return 1;
    }
    if (error instanceof ConfigError || error instanceof ClientUsageError) {
      io.err(`org.apache.kafka.common.config.ConfigException: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

function processIo(): ToolIo {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    input: process.stdin,
    isInteractive: process.stdin.isTTY === true,
    onInterrupt(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const;
      for (const signal of signals) process.on(signal, listener);
      process.stdout.on('error', listener); // whoever read our output is gone
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}
