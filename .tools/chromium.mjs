// Starts a headless Chromium for the browser tests: one installed on this machine, or else that of
// an npm package.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');

async function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (found) return { executablePath: found, args: [] };
  // The package brings shared libraries too, but unpacks them only if this variable names AWS Lambda.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  const packaged = require('@sparticuz/chromium').default ?? require('@sparticuz/chromium');
  // A single process would end with its first page; the other flags would turn off the isolation of origins.
  const unwanted = ['--single-process', '--disable-web-security', '--disable-site-isolation-trials', '--allow-running-insecure-content'];
  return { executablePath: await packaged.executablePath(), args: packaged.args.filter((arg) => !unwanted.includes(arg)) };
}

/** Starts the browser, with further command-line arguments. */
export async function launch(...more) {
  const { executablePath, args } = await findBrowser();
  return chromium.launch({
    executablePath,
    headless: true,
    args: [...args, ...more, '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
