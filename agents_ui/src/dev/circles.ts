// Finds circles among imports. Pure: sources in, circles out. Type-only imports are no ties; an import() is one, for a
// circle that is cut by loading late is still a circle.
import ts from "typescript";

/** Path of each source, relative to one root with "/" between, to its text. */
export type Sources = Record<string, string>;

/** What a source imports by value from beside it, as it is written there. */
export function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node && ts.isStringLiteral(node) && node.text.startsWith(".")) found.push(node.text);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && !isTypeOnly(node.importClause)) add(node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && !node.isTypeOnly) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, false, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS));
  return found;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  return !clause.name && names !== undefined && ts.isNamedImports(names) && names.elements.length > 0 && names.elements.every((name) => name.isTypeOnly);
}

function resolve(from: string, specifier: string, sources: Sources): string | null {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  const path = parts.join("/");
  return [path, `${path}.ts`, `${path}.tsx`, `${path}/index.ts`, `${path}/index.tsx`].find((candidate) => candidate in sources) ?? null;
}

/** Each circle once, as the way around it: ["a.ts", "b.ts", "a.ts"]. */
export function circles(sources: Sources): string[][] {
  const ties = new Map(Object.entries(sources).map(([path, text]) => [
    path, importsOf(path, text).flatMap((specifier) => resolve(path, specifier, sources) ?? []),
  ]));
  const done = new Set<string>();
  const way: string[] = [];
  const found: string[][] = [];
  const walk = (path: string): void => {
    const at = way.indexOf(path);
    if (at >= 0) return void found.push([...way.slice(at), path]);
    if (done.has(path)) return;
    way.push(path);
    for (const next of ties.get(path) ?? []) walk(next);
    way.pop();
    done.add(path);
  };
  for (const path of ties.keys()) walk(path);
  return found;
}
