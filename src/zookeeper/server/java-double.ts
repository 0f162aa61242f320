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

/** `0.0`, `1.5`, `1.234E7`, `NaN`: exponents below 10^-3 and from 10^7 on. */
export function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const magnitude = Math.abs(value);
  if (value === 0 || (magnitude >= 1e-3 && magnitude < 1e7)) {
    return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
