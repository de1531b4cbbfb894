// Generated from libs/jobs/sql by `npm run generate -- --schema`. Do not edit.
// Digest of the statements: 967e776ec7cedfa6.

/** Rows and values of this room's statements, as Postgres describes them. */
export interface Statements {
  find_job: {
    row: {
      id: string;
      epoch: number;
      tenant: string;
      principal: string;
      action: string;
      reason: string;
      user_id: string | null;
      environment: string | null;
      instance: string | null;
      examined: number;
      changed: number;
      skipped: number;
      failed: number;
      created_at: Date;
      updated_at: Date;
      finished_at: Date | null;
      partition: number;
      after_scope: string;
      page: string;
      fingerprint: string | null;
    };
    values: [string];
  };
  forget_jobs: { row: never; values: [] };
  insert_job: {
    row: {
      id: string;
      epoch: number;
      tenant: string;
      principal: string;
      action: string;
      reason: string;
      user_id: string | null;
      environment: string | null;
      instance: string | null;
      examined: number;
      changed: number;
      skipped: number;
      failed: number;
      created_at: Date;
      updated_at: Date;
      finished_at: Date | null;
      partition: number;
      after_scope: string;
      page: string;
    };
    values: [string, string, string, string, string, string, string, string, string, number];
  };
  keep_job: { row: never; values: [string, number, number] };
  list_jobs: {
    row: {
      id: string;
      epoch: number;
      tenant: string;
      principal: string;
      action: string;
      reason: string;
      user_id: string | null;
      environment: string | null;
      instance: string | null;
      examined: number;
      changed: number;
      skipped: number;
      failed: number;
      created_at: Date;
      updated_at: Date;
      finished_at: Date | null;
      partition: number;
      after_scope: string;
      page: string;
    };
    values: [string, string, number];
  };
  look_through: {
    row: { scope_id: string; latest: string | null };
    values: [number, string, number, string, string, string];
  };
  read_job: {
    row: {
      id: string;
      epoch: number;
      tenant: string;
      principal: string;
      action: string;
      reason: string;
      user_id: string | null;
      environment: string | null;
      instance: string | null;
      examined: number;
      changed: number;
      skipped: number;
      failed: number;
      created_at: Date;
      updated_at: Date;
      finished_at: Date | null;
      partition: number;
      after_scope: string;
      page: string;
    };
    values: [string, string];
  };
  save_page: { row: never; values: [string, number, string, number, string, number] };
  save_step: { row: never; values: [string, number, number, number, number, number, boolean] };
  take_job: {
    row: {
      id: string;
      epoch: number;
      tenant: string;
      principal: string;
      action: string;
      reason: string;
      user_id: string | null;
      environment: string | null;
      instance: string | null;
      examined: number;
      changed: number;
      skipped: number;
      failed: number;
      created_at: Date;
      updated_at: Date;
      finished_at: Date | null;
      partition: number;
      after_scope: string;
      page: string;
    };
    values: [number];
  };
}
