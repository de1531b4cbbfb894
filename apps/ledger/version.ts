/** The service's version, as its description and its start-up line tell it. */
export const version = process.env.npm_package_version ?? '0.1.0';
