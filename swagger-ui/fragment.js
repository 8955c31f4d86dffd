// takeCredential takes a credential out of the fragment of the URL, in which it may come: #key=… or
// #token=…. What follows an & stays as the fragment, such as #key=…&/feed/bob. A page calls it before
// it does anything else, so that the credential is in no link or picture of it. Returns { kind, value }.
export function takeCredential() {
  const [, kind, value, rest] = /^#(key|token)=([^&]*)&?(.*)$/.exec(location.hash) ?? [];
  if (kind === undefined) return undefined;
  history.replaceState(null, '', location.pathname + location.search + (rest && `#${rest}`));
  return { kind, value };
}
