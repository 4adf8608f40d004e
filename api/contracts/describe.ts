/** The tenant's own name, description and labels: kept in metadata, where no rule of the contract looks. */
import type { Contract } from '../../crds/contract/contract.ts';
import { ANNOTATION, TENANT_LABEL_PREFIX } from '../../crds/group.ts';
import type { DescribeRequest } from '../../crds/wire/actions.ts';

/** What is left out stays, null removes. */
export function described(contract: Contract, { name, description, labels }: DescribeRequest): Contract {
  const annotations = { ...contract.metadata.annotations };
  const write = (key: string, value: string | null | undefined): void => {
    if (value === null) delete annotations[key];
    else if (value !== undefined) annotations[key] = value;
  };
  write(ANNOTATION.displayName, name);
  write(ANNOTATION.description, description);
  return {
    ...contract,
    metadata: {
      ...contract.metadata,
      annotations,
      ...(labels ? { labels: relabelled(contract.metadata.labels ?? {}, labels) } : {}),
    },
  };
}

/** All of the tenant's labels are replaced, all others stay. */
function relabelled(
  old: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): Record<string, string> {
  const others = Object.entries(old).filter(([key]) => !key.startsWith(TENANT_LABEL_PREFIX));
  const own = Object.entries(wanted).map(([key, value]) => [`${TENANT_LABEL_PREFIX}${key}`, value] as const);
  return Object.fromEntries([...others, ...own]);
}
