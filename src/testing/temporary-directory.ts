import { tmpdir } from 'node:os';
import { randomUuid } from '../runtime/random.ts';
import type { Runtime } from '../runtime/runtime.ts';

export interface TestDirectory {
  readonly path: string;
  /** Removes a directory that we made; one that was given stays. */
  release(): void;
}

export function testDirectory({ disk, random }: Runtime, given: string | undefined): TestDirectory {
  const path = given ?? `${tmpdir()}/odradek-${randomUuid(random)}`;
  disk.makeDirectory(path);
  return {
    path,
    release: () => {
      if (given === undefined) disk.remove(path);
    },
  };
}
