// Starts a headless Chromium for the browser tests: one installed on this machine, or else that of
// an npm package.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const require = createRequire(import.meta.url);
const { chromium } = require('playwright-core');

/** Finds the browser. `install` calls this, too, so that the browsers of tests that run beside each other find it unpacked. */
export async function findBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = process.env.PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  if (found) return { executablePath: found, args: [] };
  // The package brings shared libraries too, but unpacks them only if this variable names AWS Lambda.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  // It unpacks into the temporary folder whatever is not there, and takes for whole what another process has begun to write.
  const [folder, before] = [join(import.meta.dirname, 'chromium'), tmpdir()];
  const unpacked = existsSync(folder);
  mkdirSync(folder, { recursive: true });
  process.env.TMPDIR = folder;
  const packaged = require('@sparticuz/chromium').default ?? require('@sparticuz/chromium');
  const executablePath = await packaged.executablePath();
  process.env.TMPDIR = before;
  const fonts = join(folder, 'fonts', 'fonts.conf');
  if (!unpacked) writeFileSync(fonts, readFileSync(fonts, 'utf8').replaceAll('/tmp/fonts', join(folder, 'fonts')));
  // A single process would end with its first page; the other flags would turn off the isolation of origins.
  const unwanted = ['--single-process', '--disable-web-security', '--disable-site-isolation-trials', '--allow-running-insecure-content'];
  return { executablePath, args: packaged.args.filter((arg) => !unwanted.includes(arg)) };
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
