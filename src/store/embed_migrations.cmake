# cmake -DOUT=FILE.cpp "-DFILES=a.sql|b.sql" -P embed_migrations.cmake: migrations as C++ string
# literals. The delimiter cannot occur in SQL that anybody writes; each file stays below the 64 KiB
# that every compiler takes in one literal.
string(REPLACE "|" ";" FILES "${FILES}")
set(rows "")
foreach(file ${FILES})
  get_filename_component(stem ${file} NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: expected a name like 0003_feeds.sql")
  endif()
  string(REGEX REPLACE "^0+" "" number "${CMAKE_MATCH_1}")
  file(READ ${file} text)
  string(APPEND rows "    {${number}, \"${CMAKE_MATCH_2}\", R\"affiche-sql(${text})affiche-sql\"},\n")
endforeach()
file(WRITE ${OUT} "// Made from migrations/ by src/store/embed_migrations.cmake.
#include \"store/migrations.h\"

namespace affiche::store {

std::span<const Migration> built_in_migrations() {
  static constexpr Migration kMigrations[] = {
${rows}  };
  return kMigrations;
}

}  // namespace affiche::store
")
