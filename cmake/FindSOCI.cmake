# SOCI 4.0 as packaged by Debian ships no CMake configuration.
# Defines SOCI::core, SOCI::sqlite3, SOCI::postgresql and SOCI::mysql. The headers of the backends include those of the
# databases' client libraries.
find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_core_LIBRARY soci_core)
find_library(SOCI_sqlite3_LIBRARY soci_sqlite3)
# As archives: we derive from their session backends, which the shared ones hide.
find_library(SOCI_postgresql_ARCHIVE libsoci_postgresql.a)
find_library(SOCI_mysql_ARCHIVE libsoci_mysql.a)
if(SOCI_INCLUDE_DIR)
  file(STRINGS "${SOCI_INCLUDE_DIR}/soci/version.h" _soci_version REGEX "^#define SOCI_LIB_VERSION \"")
  string(REGEX REPLACE ".*\"([0-9_]+)\".*" "\\1" _soci_version "${_soci_version}")
  string(REPLACE "_" "." SOCI_VERSION "${_soci_version}")
endif()
if(SOCI_core_LIBRARY AND NOT TARGET SOCI::core)
  add_library(SOCI::core SHARED IMPORTED)
  set_target_properties(SOCI::core PROPERTIES IMPORTED_LOCATION "${SOCI_core_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR}")
endif()
find_package(SQLite3 QUIET)
if(SOCI_sqlite3_LIBRARY AND SQLite3_FOUND AND NOT TARGET SOCI::sqlite3)
  add_library(SOCI::sqlite3 SHARED IMPORTED)
  set_target_properties(SOCI::sqlite3 PROPERTIES IMPORTED_LOCATION "${SOCI_sqlite3_LIBRARY}"
    INTERFACE_LINK_LIBRARIES "SOCI::core;SQLite::SQLite3")
endif()
find_package(PostgreSQL QUIET)
if(SOCI_postgresql_ARCHIVE AND PostgreSQL_FOUND AND NOT TARGET SOCI::postgresql)
  add_library(SOCI::postgresql STATIC IMPORTED)
  set_target_properties(SOCI::postgresql PROPERTIES IMPORTED_LOCATION "${SOCI_postgresql_ARCHIVE}"
    INTERFACE_INCLUDE_DIRECTORIES "${PostgreSQL_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "SOCI::core;PostgreSQL::PostgreSQL")
endif()
find_path(SOCI_mysql_CLIENT_INCLUDE_DIR mysql.h PATH_SUFFIXES mariadb mysql)
find_library(SOCI_mysql_CLIENT_LIBRARY NAMES mariadb mysqlclient)
if(SOCI_mysql_ARCHIVE AND SOCI_mysql_CLIENT_INCLUDE_DIR AND SOCI_mysql_CLIENT_LIBRARY AND NOT TARGET SOCI::mysql)
  add_library(SOCI::mysql STATIC IMPORTED)
  set_target_properties(SOCI::mysql PROPERTIES IMPORTED_LOCATION "${SOCI_mysql_ARCHIVE}"
    INTERFACE_INCLUDE_DIRECTORIES "${SOCI_mysql_CLIENT_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "SOCI::core;${SOCI_mysql_CLIENT_LIBRARY}")
endif()
foreach(_soci_part core sqlite3 postgresql mysql)
  if(TARGET SOCI::${_soci_part})
    set(SOCI_${_soci_part}_FOUND TRUE)
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SOCI REQUIRED_VARS SOCI_INCLUDE_DIR SOCI_core_LIBRARY
  VERSION_VAR SOCI_VERSION HANDLE_COMPONENTS)
