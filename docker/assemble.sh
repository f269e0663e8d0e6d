#!/bin/sh
# assemble.sh PROGRAM PACKAGE FOLDER: what an image holds beside its base. Node, the package as it is built with all it
# needs to run, and PROGRAM in /usr/local/bin. Run in a checkout that `npm run setup` has prepared.
set -eu
program=$1 package=$2 folder=$3
PATH="$PWD/.tools/node_modules/.bin:$PATH"
home=/opt/keelson

mkdir -p "$folder/usr/local/bin" "$folder$(dirname "$home")"
cp "$(readlink -f "$(command -v node)")" "$folder/usr/local/bin/node"
pnpm --filter "$package" --prod --legacy --reporter=silent deploy "$folder$home"
# Sources, types and maps are for those who build; objects of the addon are in it.
find "$folder$home" -type d \( -path '*/@keelson/*/src' -o -path "$folder$home/src" -o -path '*/bpf-maps-native/native' \
  -o -path '*/bpf-maps-native/build/native' -o -path '*/.pnpm/@types+*' \) -prune -exec rm -rf {} +
find "$folder$home" -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.tsbuildinfo' \) -delete
# A link into a folder that is gone.
find "$folder$home" -xtype l -delete
chmod 755 "$folder$home/dist/main.js"
ln -s "$home/dist/main.js" "$folder/usr/local/bin/$program"
