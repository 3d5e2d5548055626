# Writes the texts of all languages as the function rapport::PhraseFile into OUTPUT: all of
# OWN/<language>.po, and of CONSOLE/<language>.po those that mails have in common with the page. A
# string literal has a largest size that compilers take, so it goes in pieces, which the compiler
# joins.
set(cases "")
foreach(language en pl el sk ru)
  file(READ ${CONSOLE}/${language}.po page)
  string(REGEX MATCHALL "msgid \"(reason|days|severity)\\.[^\n]*\nmsgstr [^\n]*" shared "${page}")
  # CMake has put them into a list, whose separators the texts may hold themselves.
  string(REPLACE "\";msgid \"" "\"\nmsgid \"" shared "${shared}")
  file(READ ${OWN}/${language}.po own)
  set(text "${own}\n${shared}\n")
  set(literals "")
  string(LENGTH "${text}" length)
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND literals "\n        R\"po(${piece})po\"")
    math(EXPR at "${at} + 8000")
  endwhile()
  string(APPEND cases "  if (language == \"${language}\") {
    static constexpr char kFile[] =${literals};
    return kFile;
  }
")
endforeach()
file(WRITE ${OUTPUT} "#include \"libs/phrases/phrase_file.h\"

namespace rapport {

absl::string_view PhraseFile(absl::string_view language) {
${cases}  return \"\";
}

}  // namespace rapport
")
