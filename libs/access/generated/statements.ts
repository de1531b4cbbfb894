// Generated from libs/access/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: b6eb040b8304a1d6.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  add_to_access_log: {
    row: never;
    values: [
      Buffer | readonly Date[],
      Buffer | readonly number[],
      Buffer | readonly number[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
      Buffer | readonly string[],
    ];
  };
  end_key: {
    row: {
      id: string;
      hash: string;
      ledger_wide: boolean;
      tenant: string | null;
      principal: string;
      permissions: string[];
      environments: string[] | null;
      commands: number | null;
      reads: number | null;
      name: string;
      made_at: Date;
      made_by: string;
      expires_at: Date | null;
      revoked_at: Date | null;
      used_on: string | null;
    };
    values: [string, number];
  };
  find_key: {
    row: {
      id: string;
      hash: string;
      ledger_wide: boolean;
      tenant: string | null;
      principal: string;
      permissions: string[];
      environments: string[] | null;
      commands: number | null;
      reads: number | null;
      name: string;
      made_at: Date;
      made_by: string;
      expires_at: Date | null;
      revoked_at: Date | null;
      used_on: string | null;
      seconds_left: number | null;
    };
    values: [string, string];
  };
  find_request: { row: { id: string }; values: [string] };
  insert_key: {
    row: {
      id: string;
      hash: string;
      ledger_wide: boolean;
      tenant: string | null;
      principal: string;
      permissions: string[];
      environments: string[] | null;
      commands: number | null;
      reads: number | null;
      name: string;
      made_at: Date;
      made_by: string;
      expires_at: Date | null;
      revoked_at: Date | null;
      used_on: string | null;
    };
    values: [
      string,
      string,
      boolean,
      string,
      string,
      Buffer | readonly string[],
      Buffer | readonly string[],
      number,
      number,
      string,
      string,
      string,
      number,
      number,
      number,
    ];
  };
  list_keys: {
    row: {
      id: string;
      hash: string;
      ledger_wide: boolean;
      tenant: string | null;
      principal: string;
      permissions: string[];
      environments: string[] | null;
      commands: number | null;
      reads: number | null;
      name: string;
      made_at: Date;
      made_by: string;
      expires_at: Date | null;
      revoked_at: Date | null;
      used_on: string | null;
    };
    values: [string, string, number];
  };
  note_use: { row: never; values: [Buffer | readonly string[]] };
  read_access_log: {
    row: {
      at: Date;
      status: number;
      count: number;
      credential: string;
      principal: string;
      tenant: string;
      address: string;
      operation: string;
    };
    values: [Date | string, string, number];
  };
  read_keys: {
    row: {
      id: string;
      hash: string;
      ledger_wide: boolean;
      tenant: string | null;
      principal: string;
      permissions: string[];
      environments: string[] | null;
      commands: number | null;
      reads: number | null;
      name: string;
      made_at: Date;
      made_by: string;
      expires_at: Date | null;
      revoked_at: Date | null;
      used_on: string | null;
    };
    values: [];
  };
  read_revoked_subjects: { row: { issuer: string; subject: string; before: Date }; values: [] };
  read_version: { row: { version: number; now: Date }; values: [] };
  revoke_subject: { row: never; values: [string, string] };
  rotate_access_log: { row: { rotate_access_log: '' | null }; values: [] };
}
