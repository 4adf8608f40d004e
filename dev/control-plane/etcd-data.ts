/**
 * An etcd that is ended while it makes its very first data leaves a member that never elects a leader: it would
 * not serve in any later start. Until it has served once there is nothing in it, so it is made anew then. A mark
 * beside the data says that it has not served yet; data without the mark is never touched.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type EtcdData = Readonly<{
  folder: string /** It serves: from now on the data is kept. */;
  served: () => void;
}>;

export function prepareEtcdData(folder: string): EtcdData {
  const mark = `${folder}.unserved`;
  if (existsSync(mark)) rmSync(folder, { recursive: true, force: true });
  if (!existsSync(folder)) {
    mkdirSync(dirname(folder), { recursive: true });
    writeFileSync(mark, 'etcd has not served from this data yet\n');
  }
  return { folder, served: () => rmSync(mark, { force: true }) };
}
