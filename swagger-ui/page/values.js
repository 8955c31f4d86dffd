import { needsCredential } from './authorize.js';
import { contractOf } from './document.js';

// The values of the form, which Swagger UI keeps.

// parametersOf returns the parameters of an operation in Swagger UI; undefined until it has
// resolved their references.
const parametersOf = (operation) => operation.getIn(['op', 'parameters']);

export function readParameters(system, operation) {
  const pathMethod = [operation.get('path'), operation.get('method')];
  const declared = contractOf(system).byId.get(operation.get('operationId')).parameters;
  const list = (parametersOf(operation)?.toArray() ?? []).map((parameter) => {
    const state = system.specSelectors.parameterWithMetaByIdentity(pathMethod, parameter);
    return {
      ...declared.find(({ name, in: where }) => name === parameter.get('name') && where === parameter.get('in')),
      value: state.get('value') ?? '',
      errors: state.get('errors')?.toArray() ?? [],
      change: (value) => system.specActions.changeParamByIdentity(pathMethod, parameter, value === '' ? null : value),
    };
  });
  return [...list.filter(({ required }) => required), ...list.filter(({ required }) => !required)];
}

// readValues returns the values in the form that samples() of snippets.js takes.
export function readValues(system, operation) {
  const [path, method] = [operation.get('path'), operation.get('method')];
  const values = { path: {}, query: {}, header: {} };
  for (const { name, in: where, value } of readParameters(system, operation)) values[where][name] = value;
  const body = system.oas3Selectors.requestBodyValue(path, method);
  return { ...values, token: needsCredential(system), body: body || undefined, accept: system.oas3Selectors.responseContentType(path, method) || undefined };
}
