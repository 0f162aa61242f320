import { ToolExit } from './tool.ts';

/** `2026-11-23T10:44:02.123`, with a zone or in this machine's. @throws ToolExit */
export function isoTimeMs(text: string): number {
  const [, time, zone = ''] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(text) ?? [];
  const colonZone = zone.replace(/^([+-]\d{2})(\d{2})?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`);
  const ms = time === undefined ? Number.NaN : Date.parse(`${time}${colonZone}`);
  if (Number.isNaN(ms)) throw new ToolExit(`java.text.ParseException: Unparseable date: "${text}"\n`);
  return ms;
}

const unitMs = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 } as const;

/** `P1DT2H3M4S`, as java.time.Duration reads it. @throws ToolExit */
export function durationMs(text: string): number {
  const match = /^P(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?$/i.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) {
    throw new ToolExit(`java.time.format.DateTimeParseException: Text cannot be parsed to a Duration: ${text}\n`);
  }
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(days) * unitMs.D + Number(hours) * unitMs.H + Number(minutes) * unitMs.M + Number(seconds) * unitMs.S;
}
