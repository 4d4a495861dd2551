if(AFFICHE_SANITIZE)
  add_compile_options(-fsanitize=${AFFICHE_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${AFFICHE_SANITIZE})
endif()
