/** What one request to the API server is about, read from its method and path as the API server itself does. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export type Exchange = Readonly<{
  /** Counts from 1 in the order of arrival. */
  n: number;
  /** The User-Agent. */
  client: string;
  method: string;
  /** With the query. */
  path: string;
  verb: Verb;
  /** The plural; the bare path for what is no resource (`/readyz`). */
  resource: string;
  subresource?: string;
  namespace?: string;
  /** Of the object; of a new one, as its body says. */
  name?: string;
  isWrite: boolean;
  /** What a write stands on: the version or the uid without which it is refused. */
  precondition?: string;
}>;

const WRITES: Readonly<Record<string, Verb>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

type Seen = Readonly<{ n: number; client: string; method: string; path: string; body?: Buffer }>;

export function exchangeOf({ body, ...request }: Seen): Exchange {
  const url = new URL(request.path, 'http://api-server');
  const { resource, ...target } = targetOf(url.pathname);
  const write = WRITES[request.method];
  const written = write ? objectIn(body) : undefined;
  const name = write === 'create' ? written?.metadata?.name : undefined;
  const precondition =
    written?.metadata?.resourceVersion ??
    written?.preconditions?.resourceVersion ??
    written?.preconditions?.uid;
  return {
    ...request,
    ...target,
    ...(name === undefined ? {} : { name }),
    ...(precondition === undefined ? {} : { precondition }),
    resource,
    verb: write ?? readVerb(url, target.name),
    isWrite: !!write,
  };
}

function readVerb(url: URL, name: string | undefined): Verb {
  if (url.searchParams.get('watch') === 'true') return 'watch';
  return name === undefined && /^\/apis?\//.test(url.pathname) ? 'list' : 'get';
}

type Written = Readonly<{
  metadata?: { name?: string; resourceVersion?: string };
  preconditions?: { uid?: string; resourceVersion?: string };
}>;

const objectIn = (body: Buffer | undefined): Written => JSON.parse(body?.toString() || '{}') as Written; // an object of Kubernetes, or options of a DELETE

type Target = Pick<Exchange, 'resource' | 'subresource' | 'namespace' | 'name'>;

function targetOf(pathname: string): Target {
  const group = /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)\/(.+)$/.exec(pathname)?.[1];
  if (group === undefined) return { resource: pathname };
  const parts = group.split('/').map(decodeURIComponent);
  const isNamespaced = parts[0] === 'namespaces' && parts.length > 2;
  const [resource = '', name, subresource] = isNamespaced ? parts.slice(2) : parts;
  return {
    resource,
    ...(isNamespaced && parts[1] !== undefined ? { namespace: parts[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}
