# Writes INPUT as the function rapport::OpenApiDocument into OUTPUT. A string literal has a largest
# size that compilers take, so it goes in pieces, which the compiler joins.
file(READ ${INPUT} text)
set(literals "")
string(LENGTH "${text}" length)
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND literals "    R\"json(${piece})json\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"libs/serving/openapi.h\"

namespace rapport {

absl::string_view OpenApiDocument() {
  static constexpr char kDocument[] =
${literals};
  return kDocument;
}

}  // namespace rapport
")
