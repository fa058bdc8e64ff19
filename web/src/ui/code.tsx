import { Check, Copy } from "lucide-react";
import { useMemo, useState } from "react";
import { cx } from "@/lib/cx";
import { type Language, type TokenKind, tokenize } from "@/lib/highlight";

const colour: Record<TokenKind, string> = {
  plain: "",
  keyword: "text-violet",
  string: "text-ok",
  number: "text-run",
  comment: "text-faint italic",
  name: "text-brand-strong",
  punctuation: "text-faint",
};

/** Above this many characters colours are left out, so that a large text appears at once. */
const COLOURED_MAX = 60_000;

/** JSON in one line: names step back behind values. */
const quiet: Record<TokenKind, string> = {
  ...colour,
  name: "text-faint",
  string: "",
  number: "",
  keyword: "text-violet",
};

export function Coloured({ code, language, calm }: { code: string; language: Language; calm?: boolean }) {
  const tokens = useMemo(
    () => tokenize(code, code.length > COLOURED_MAX ? "text" : language),
    [code, language],
  );
  return tokens.map((token, i) =>
    token.kind === "plain" ? (
      token.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: tokens of one text never move.
      <span key={i} className={(calm ? quiet : colour)[token.kind]}>
        {token.text}
      </span>
    ),
  );
}

export function CodeBlock({
  code,
  language = "text",
  className,
  tall,
  wrap,
  bare,
}: {
  code: string;
  language?: Language;
  className?: string;
  tall?: boolean;
  wrap?: boolean;
  /** Without its copy button, where another one stands near. */
  bare?: boolean;
}) {
  return (
    <div className={cx("group relative rounded-md border bg-sunken", className)}>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard.
        tabIndex={0}
        className={cx(
          "overflow-auto px-3 py-2 pr-10 font-mono text-xs leading-[18px]",
          tall ? "max-h-[60vh]" : "max-h-80",
          wrap && "break-all whitespace-pre-wrap",
        )}
      >
        <code>
          <Coloured code={code} language={language} />
        </code>
      </pre>
      {!bare && <CopyButton text={code} className="absolute top-1 right-1 bg-sunken" />}
    </div>
  );
}

export function CopyButton({
  text,
  className,
  label = "Copy",
}: {
  text: string;
  className?: string;
  label?: string;
}) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(text).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1200);
      },
      () => {},
    );
  };
  return (
    <button
      type="button"
      aria-label={copied ? "Copied" : label}
      title={copied ? "Copied" : label}
      onClick={copy}
      className={cx(
        "inline-flex size-7 items-center justify-center rounded-md text-faint hover:bg-hover hover:text-ink",
        className,
      )}
    >
      {copied ? <Check className="size-3.5 text-ok" /> : <Copy className="size-3.5" />}
    </button>
  );
}
