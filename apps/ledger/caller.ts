/** Who is asking. From the credential only, never from what a request says about itself. */
export interface Caller {
  tenant: string;
  principal: string;
  /** Whether the caller may act for owners other than itself. */
  operate: boolean;
}

/** Everybody, until access control exists. */
export const anonymous: Caller = { tenant: 'default', principal: 'anonymous', operate: true };
