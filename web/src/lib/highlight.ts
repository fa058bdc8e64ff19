/** Colours for SQL, JSON and YAML by a small scanner: enough to read by, no editor needed. */

export type TokenKind = "plain" | "keyword" | "string" | "number" | "comment" | "name" | "punctuation";

export interface Token {
  kind: TokenKind;
  text: string;
}

export type Language = "sql" | "json" | "yaml" | "python" | "text";

const SQL_WORDS = new Set(
  `ADD ALL ALLOW ALTER AND AS ASC BETWEEN BIGINT BOOLEAN BY CASE CAST CATALOG CLUSTERING COALESCE CREATE DATABASE DELETE DESC
   DESCRIBE DISTINCT DOUBLE DROP ELSE END ENFORCED EXISTS EXPLAIN FALSE FILTERING FLOAT FOR FROM FULL FUNCTION GROUP HAVING IF IN
   INDEX INNER INSERT INT INTERVAL INTO IS JOIN KEY KEYSPACE LEFT LIKE LIMIT MATERIALIZED NOT NULL ON OR ORDER OUTER PARTITION
   PRIMARY REPLICATION RIGHT ROW SELECT SET SHOW STATIC STRING TABLE TABLES TEMPORARY TEXT THEN TIMESTAMP TRUE TUMBLE UNION
   UPDATE USE USING UUID VALUES VARCHAR VIEW WATERMARK WHEN WHERE WITH`
    .split(/\s+/)
    .filter(Boolean),
);
const PYTHON_WORDS = new Set(
  "and as assert async await break class continue def del elif else except finally for from global if import in is lambda None not or pass raise return True False try while with yield".split(
    " ",
  ),
);

const RULES: Record<Exclude<Language, "text">, [TokenKind, RegExp][]> = {
  sql: [
    ["comment", /--[^\n]*|\/\*[\s\S]*?\*\//y],
    ["string", /'(?:[^']|'')*'?/y],
    ["name", /"(?:[^"]|"")*"?|`[^`]*`?/y],
    ["number", /\b\d+(?:\.\d+)?\b/y],
    ["keyword", /[A-Za-z_][A-Za-z0-9_]*/y],
    ["punctuation", /[(),;.=<>*+\-/|{}:]+/y],
  ],
  json: [
    ["name", /"(?:[^"\\]|\\.)*"(?=\s*:)/y],
    ["string", /"(?:[^"\\]|\\.)*"?/y],
    ["number", /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
    ["keyword", /\b(?:true|false|null)\b/y],
    ["punctuation", /[{}[\],:]+/y],
  ],
  yaml: [
    ["comment", /#[^\n]*/y],
    ["name", /[A-Za-z_][\w.-]*(?=\s*:)/y],
    ["string", /"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?/y],
    ["number", /\b\d+(?:\.\d+)?\b/y],
    ["keyword", /\b(?:true|false|null)\b/y],
    ["punctuation", /[{}[\],:|>-]+/y],
  ],
  python: [
    ["comment", /#[^\n]*/y],
    ["string", /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/y],
    ["number", /\b\d+(?:\.\d+)?\b/y],
    ["keyword", /[A-Za-z_][A-Za-z0-9_]*/y],
    ["punctuation", /[(){}[\],:.=<>*+\-/|@]+/y],
  ],
};

export function tokenize(text: string, language: Language): Token[] {
  if (language === "text") return [{ kind: "plain", text }];
  const tokens: Token[] = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) tokens.push({ kind: "plain", text: plain });
    plain = "";
  };
  while (at < text.length) {
    const hit = firstMatch(text, at, language);
    if (!hit) {
      plain += text[at];
      at += 1;
    } else if (hit.kind === "plain") {
      plain += hit.text;
      at += hit.text.length;
    } else {
      flush();
      tokens.push(hit);
      at += hit.text.length;
    }
  }
  flush();
  return tokens;
}

function firstMatch(text: string, at: number, language: Exclude<Language, "text">): Token | null {
  for (const [kind, rule] of RULES[language]) {
    rule.lastIndex = at;
    const match = rule.exec(text)?.[0];
    if (!match) continue;
    if (kind !== "keyword" || language === "json" || language === "yaml") return { kind, text: match };
    const known = language === "sql" ? SQL_WORDS.has(match.toUpperCase()) : PYTHON_WORDS.has(match);
    return { kind: known ? "keyword" : "plain", text: match };
  }
  return null;
}
