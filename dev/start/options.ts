/** How `npm start` and `npm run dev` may be asked for. */
export type StartOptions = Readonly<{
  /** Do everything once, cancel, wait until the instance is gone, and end. */
  once?: boolean;
  /** Use this cluster instead of one of our own. */
  kubeconfig?: string;
  /** Of the facade. */
  port?: number;
  /** Start changed parts again on save. */
  reload?: boolean;
}>;
