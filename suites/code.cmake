# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C table of hashes over sources: one row per group "NAME=FILE|FILE..." of GROUPS (rows separated by ";").
# A row's hash is SHA-256 over the names and contents of its files, names relative to ROOT, so that two trees of the same
# sources agree.
set(text "/* Written by suites/code.cmake. */\n#include \"suites/code.h\"\n\nconst iso_code_row iso_code_rows[] = {\n")
file(STRINGS ${GROUPS_FILE} rows)
foreach(row ${rows})
  string(REGEX MATCH "^([^=]*)=(.*)$" ignored "${row}")
  set(name ${CMAKE_MATCH_1})
  string(REPLACE "|" ";" files "${CMAKE_MATCH_2}")
  set(all "")
  foreach(f ${files})
    file(SHA256 ${f} hash)
    file(RELATIVE_PATH relative ${ROOT} ${f})
    string(APPEND all "${relative} ${hash}\n")
  endforeach()
  string(SHA256 hash "${all}")
  string(APPEND text "\t{\"${name}\", \"${hash}\"},\n")
endforeach()
string(APPEND text "\t{0, 0},\n};\n")
file(CONFIGURE OUTPUT ${OUT} CONTENT "${text}" @ONLY)
