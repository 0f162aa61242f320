const DAY_MS = 86_400_000;
const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i;

/** Milliseconds of an ISO 8601 duration as `java.time.Duration` reads it (`P1DT2H3M4.5S`), none negative; undefined for others. */
export function durationMs(text: string): number | undefined {
  const parts = pattern.exec(text);
  if (parts === null || /[PT]$/i.test(text)) return undefined;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return Math.trunc(days! * DAY_MS + hours! * 3_600_000 + minutes! * 60_000 + seconds! * 1000);
}
