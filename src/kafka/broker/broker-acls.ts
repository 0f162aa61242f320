import type { Runtime } from '../../runtime/runtime.ts';
import { AclAuthorizer } from '../security/acl-authorizer.ts';
import { AclStore } from '../security/acl-store.ts';
import { type Authorizer, everythingAllowed } from '../security/authorizer.ts';
import { AclZnodes } from '../zk/acl-znodes.ts';
import type { KafkaZk } from '../zk/kafka-zk.ts';
import { authorizerConfigOf } from './config/authorizer-config.ts';
import type { KafkaConfig } from './config/kafka-config.ts';

/** Who may do what, as one broker's configuration and the cluster's ACLs have it. */
export class BrokerAcls {
  readonly authorizer: Authorizer;
  /** Absent without an authorizer: then nobody keeps ACLs. */
  readonly store: AclStore | undefined;

  constructor(runtime: Runtime, config: KafkaConfig, zk: KafkaZk) {
    const settings = authorizerConfigOf(config);
    if (settings === undefined) {
      this.authorizer = everythingAllowed;
      this.store = undefined;
      return;
    }
    const { clock, random, log } = runtime;
    const authorizer = new AclAuthorizer({ ...settings, log: log.named('kafka.authorizer.logger') });
    this.authorizer = authorizer;
    const znodes = new AclZnodes(zk, clock);
    this.store = new AclStore({ znodes, authorizer, clock, random, log: log.named('kafka.security') });
  }

  /** Reads what ZooKeeper has, and follows it; also in a new session. */
  async start(): Promise<void> {
    await this.store?.start();
  }

  close(): void {
    this.store?.close();
  }
}
