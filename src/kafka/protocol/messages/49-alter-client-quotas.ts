import { array, bool, float64, type Infer, int16, int32, message, string, struct } from '../../../wire/schema.ts';

/** AlterClientQuotas (KIP-546). */

const EntityData = struct({
  entityType: { type: string, versions: '0+' },
  entityName: { type: string, versions: '0+', nullable: '0+' },
});

const OpData = struct({
  key: { type: string, versions: '0+' },
  value: { type: float64, versions: '0+' },
  remove: { type: bool, versions: '0+' },
});

const EntryData = struct({
  entity: { type: array(EntityData), versions: '0+' },
  ops: { type: array(OpData), versions: '0+' },
});

export const AlterClientQuotasRequest = message({
  name: 'AlterClientQuotasRequest',
  apiKey: 49,
  versions: '0-1',
  flexible: '1+',
  fields: {
    entries: { type: array(EntryData), versions: '0+' },
    validateOnly: { type: bool, versions: '0+' },
  },
});
export type AlterClientQuotasRequest = Infer<typeof AlterClientQuotasRequest>;

const ResultData = struct({
  errorCode: { type: int16, versions: '0+' },
  errorMessage: { type: string, versions: '0+', nullable: '0+' },
  entity: { type: array(EntityData), versions: '0+' },
});

export const AlterClientQuotasResponse = message({
  name: 'AlterClientQuotasResponse',
  apiKey: 49,
  versions: '0-1',
  flexible: '1+',
  fields: {
    throttleTimeMs: { type: int32, versions: '0+' },
    entries: { type: array(ResultData), versions: '0+' },
  },
});
export type AlterClientQuotasResponse = Infer<typeof AlterClientQuotasResponse>;
