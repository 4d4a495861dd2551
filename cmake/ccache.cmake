# ccache makes a second clean build cheap; precompiled headers need the sloppiness settings to hit.
find_program(AFFICHE_CCACHE ccache)
if(AFFICHE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${AFFICHE_CCACHE})
endif()
