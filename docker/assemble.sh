#!/bin/sh
# assemble.sh FOLDER PACKAGE NAME=FILE…: what an image holds beside its base. Node, the package as it is built with all it
# needs to run, and for each NAME a program in /usr/local/bin, the package's FILE. Run in a checkout that `npm run setup`
# has prepared, with strip (binutils), as the compiler needs it.
set -eu
folder=$1 package=$2
shift 2
PATH="$PWD/.tools/node_modules/.bin:$PATH"
home=/opt/keelson
app=$folder$home

# Symbols are for debuggers. Written aside, as a file may be a link to one of the checkout.
stripped() { strip --strip-unneeded -o "$2.stripped" "$1" && chmod 755 "$2.stripped" && mv "$2.stripped" "$2"; }

mkdir -p "$folder/usr/local/bin" "$folder$(dirname "$home")"
stripped "$(readlink -f "$(command -v node)")" "$folder/usr/local/bin/node"
pnpm --filter "$package" --prod --legacy --reporter=silent deploy "$app"
# Sources, what types and tests are made of, and texts are for those who build; so is what a build goes through. bare-* is
# another runtime's.
find "$app" -type d \( -path '*/@keelson/*/src' -o -path "$app/src" -o -path '*/bpf-maps-native/src' \
  -o -path '*/bpf-maps-native/test' -o -path '*/bpf-maps-native/holder' -o -path '*/bpf-maps-native/native' -o -path '*/bpf-maps-native/build/native' \
  -o -path '*/xds-protos/src' -o -path '*/xds-protos/build' -o -path '*/@keelson/*/dist/testing' \
  -o -path '*/.pnpm/@types+*' -o -path '*/.pnpm/bare-*' \) -prune -exec rm -rf {} +
find "$app" -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.tsbuildinfo' \
  -o -name '*.md' -o -name '*.test.js' -o -name '*.test-helper.js' \) -delete
# A link into a folder that is gone.
find "$app" -xtype l -delete
find "$app" -name '*.node' -o -path '*/bpf-maps-native/build/descriptor-holder' | while read -r addon; do stripped "$addon" "$addon"; done
for program in "$@"; do
  chmod 755 "$app/${program#*=}"
  ln -s "$home/${program#*=}" "$folder/usr/local/bin/${program%%=*}"
done
