// Starts a headless Chromium for the tests in a browser: one of this machine, or else the
// one that comes as a package.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');

async function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (found) return { executablePath: found, args: [] };
  // It brings the libraries it needs too, but unpacks them only on the system it is
  // made for, which this names.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  const packaged = require('@sparticuz/chromium').default ?? require('@sparticuz/chromium');
  // Not in a single process, which ends with its first page, and with what protects pages from each other.
  const unwanted = ['--single-process', '--disable-web-security', '--disable-site-isolation-trials', '--allow-running-insecure-content'];
  return { executablePath: await packaged.executablePath(), args: packaged.args.filter((arg) => !unwanted.includes(arg)) };
}

/** Starts it, with further arguments. */
export async function launch(...more) {
  const { executablePath, args } = await findBrowser();
  return chromium.launch({
    executablePath,
    headless: true,
    args: [...args, ...more, '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
