/** What `-D` flags say: `name=value`. */
export type SystemProperties = Readonly<Record<string, string>>;

/** `-Dname=value` among other flags, which are the JVM's. */
export function systemPropertiesOf(flags: string): SystemProperties {
  const properties: Record<string, string> = {};
  for (const [, name = '', value = ''] of flags.matchAll(/(?:^|\s)-D([^\s=]+)=?(\S*)/g)) properties[name] = value;
  return properties;
}

/** The same of words that are apart already, so that a value may hold blanks. */
export function systemPropertiesIn(words: readonly string[]): SystemProperties {
  const flags = words.filter((word) => word.startsWith('-D')).map((word) => word.slice(2));
  return Object.fromEntries(
    flags.map((flag) => {
      const [name = '', ...value] = flag.split('=');
      return [name, value.join('=')];
    }),
  );
}
