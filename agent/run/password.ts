/** A new password for a machine: made here, set there, told to the tenant alone. */
import { randomInt } from 'node:crypto';
import { sealCredentials } from '../../crds/contract/credentials.ts';
import { ProvisionerError } from '../provisioner/provisioner-error.ts';
import { wishesOf, withWish } from '../state/record.ts';
import { cannot, type Outcome, type Performing } from './upkeep.ts';

/** No letter that looks like another: it may have to be typed at a console. */
const LETTERS = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** Some 139 bits. */
const LENGTH = 24;

/** Known to this function, the machine and the tenant: what is kept and told is sealed for the tenant's key. */
export async function setPassword({ context, item, ref, signal }: Performing): Promise<Outcome> {
  const { contractId, epoch, count = 0, tenantPublicKey } = item;
  const known = wishesOf(context.store.get(contractId), item).password;
  if (known && known.count >= count) return { passwordReset: known.count, sealedCredentials: known.sealed };
  if (!context.provisioner.setPassword || tenantPublicKey === undefined)
    throw cannot('set a password', 'Log in with a key; change the keys of the contract.');
  const password = newPassword();
  const about = { contractId, count };
  // Once before anything is changed: a key that nothing can be sealed for must not cost the tenant its password.
  trySealing(() => sealCredentials(tenantPublicKey, { password }, about));
  const { user } = await context.provisioner.setPassword(ref, password, { signal });
  const sealed = sealCredentials(tenantPublicKey, { ...(user ? { user } : {}), password }, about);
  context.store.change(contractId, (record) => withWish(record, { epoch, password: { count, sealed } }));
  context.log.info({ contract: contractId, count }, 'password set');
  return { passwordReset: count, sealedCredentials: sealed };
}

function trySealing(seal: () => string): void {
  try {
    seal();
  } catch (cause) {
    throw new ProvisionerError('ProgramRefused', "nothing can be sealed for the tenant's key", {
      remedy: 'Rent with another key.',
      class: 'permanent',
      cause,
    });
  }
}

const newPassword = (): string =>
  Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
