import { array, bool, float64, type Infer, int8, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** DescribeClientQuotas (KIP-546). */

const ComponentData = struct({
  entityType: { type: string, versions: '0+' },
  matchType: { type: int8, versions: '0+' },
  match: { type: string, versions: '0+', nullable: '0+' },
});

export const DescribeClientQuotasRequest = message({
  name: 'DescribeClientQuotasRequest',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    components: { type: array(ComponentData), versions: '0+' },
    strict: { type: bool, versions: '0+' },
  },
});
export type DescribeClientQuotasRequest = Infer<typeof DescribeClientQuotasRequest>;

const EntityData = struct({
  entityType: { type: string, versions: '0+' },
  entityName: { type: string, versions: '0+', nullable: '0+' },
});

const ValueData = struct({
  key: { type: string, versions: '0+' },
  value: { type: float64, versions: '0+' },
});

const EntryData = struct({
  entity: { type: array(EntityData), versions: '0+' },
  values: { type: array(ValueData), versions: '0+' },
});

export const DescribeClientQuotasResponse = message({
  name: 'DescribeClientQuotasResponse',
  apiKey: 48,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    errorCode: { type: int16, versions: '0+' },
    errorMessage: { type: string, versions: '0+', nullable: '0+' },
    entries: { type: array(EntryData), versions: '0+', nullable: '0+' },
  },
});
export type DescribeClientQuotasResponse = Infer<typeof DescribeClientQuotasResponse>;
