import { Composer, type Document, isScalar, Lexer, type LineCounter, Parser, visit } from "yaml";

/** Deeper ones are refused: the parser recurses, and a stack that overflows inside it can end the process. */
const maximumDepth = 200;

/** More are refused: each alias is looked up among all anchors and aliases of the document. */
const maximumAliases = 1_000;

/** Text that breaks YAML's rules, or a bound of this file. */
export class YamlRefusal extends Error {
  /** Where in the text, from 0. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses one document, as parseDocument of the yaml package does, in time and stack that its length bounds.
 * @param lines told where each line begins
 * @throws YamlRefusal for what is nested too deeply or has too many aliases
 */
export function composeDocument(text: string, lines: LineCounter): Document.Parsed {
  // The parser's own search for keys that stand twice compares all pairs of keys.
  const composer = new Composer({ uniqueKeys: false, logLevel: "error" });
  const [document, second] = [...composer.compose(boundedTokens(text, lines), true, text.length)];
  if (document === undefined) throw new YamlRefusal("holds no document", 0);
  if (second !== undefined) throw new YamlRefusal("holds a second document without ---", second.range[0]);
  return document;
}

function* boundedTokens(text: string, lines: LineCounter): ReturnType<Parser["parse"]> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let aliases = 0;
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maximumDepth) {
      throw new YamlRefusal(`is nested deeper than ${maximumDepth} levels`, parser.offset);
    }
    if (lexeme.startsWith("*")) aliases += 1;
    if (aliases > maximumAliases) {
      throw new YamlRefusal(`has more than ${maximumAliases} aliases`, parser.offset);
    }
  }
  yield* parser.end();
}

/** A refusal for each key that stands in its map a second time. */
export function repeatedKeys(document: Document.Parsed): YamlRefusal[] {
  const found: YamlRefusal[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name))
          found.push(new YamlRefusal(`"${name}" stands twice in one map`, key.range?.[0] ?? 0));
        seen.add(name);
      }
    },
  });
  return found;
}
