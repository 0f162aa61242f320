import { javaDouble } from '../../base/java-double.ts';

/** A number that Java holds as a double: it is printed with a point, `0.0`, where a long is `0`. */
export class JavaDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  /** As `Double.toString`. */
  toString(): string {
    return javaDouble(this.value);
  }
}

/** Rounded to four places, as Apache's averages are. */
export function average(value: number): JavaDouble {
  return new JavaDouble(Math.round(value * 10_000) / 10_000);
}
