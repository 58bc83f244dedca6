# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` and `cpack -G DEB` put where.  The program finds its files from where it stands (core/io/share.h);
# the build tree has the same layout, by links.
include(GNUInstallDirs)
set(share ${CMAKE_INSTALL_DATADIR}/isoeps)
set(tree ${CMAKE_BINARY_DIR}/share/isoeps)

file(MAKE_DIRECTORY ${tree}/templates)
file(CREATE_LINK ${CMAKE_SOURCE_DIR} ${tree}/source SYMBOLIC)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/suites ${tree}/suites SYMBOLIC)
foreach(kind generator attack metric)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${kind}s/template.c ${tree}/templates/${kind}.c SYMBOLIC)
  install(FILES ${kind}s/template.c DESTINATION ${share}/templates RENAME ${kind}.c)
endforeach()

install(TARGETS isoeps RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY suites/ DESTINATION ${share}/suites FILES_MATCHING PATTERN "*.json"
  PATTERN "flow" EXCLUDE PATTERN "referee" EXCLUDE PATTERN "schemas" EXCLUDE PATTERN "data" EXCLUDE)
install(DIRECTORY suites/schemas/ DESTINATION ${share}/schemas FILES_MATCHING PATTERN "*.json")
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES README.md CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN "*.sh" EXCLUDE)

# Headers that a plug-in may include.  Noise is drawn by the doors of core/privacy/mechanism.h alone.
foreach(folder core generators attacks metrics)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/isoeps FILES_MATCHING PATTERN "*.h"
    REGEX "_(private|kernels|simd|trusted|table)\\.h$" EXCLUDE
    REGEX "/(infer|embedded|sim|sources|aes|account_scan|pld_law|pld_compose)\\.h$" EXCLUDE)
endforeach()
configure_file(cmake/isoeps.pc.in isoeps.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/isoeps.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(isoepsConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES cmake/isoepsConfig.cmake ${CMAKE_BINARY_DIR}/isoepsConfigVersion.cmake DESTINATION ${share}/cmake)

# Man pages and completions, written by the program from the tables that read its options.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "no man pages and completions: the program cannot run here (CMAKE_CROSSCOMPILING_EMULATOR)")
else()
  set(pages ${CMAKE_BINARY_DIR}/share/man/man1)
  set(words ${CMAKE_BINARY_DIR}/share/completions)
  add_custom_command(OUTPUT ${pages}/isoeps.1 COMMAND isoeps manual --out ${pages} DEPENDS isoeps VERBATIM)
  set(completions "")
  foreach(shell bash zsh fish)
    add_custom_command(OUTPUT ${words}/isoeps.${shell} COMMAND ${CMAKE_COMMAND} -E make_directory ${words}
      COMMAND isoeps completion ${shell} > ${words}/isoeps.${shell} DEPENDS isoeps VERBATIM)
    list(APPEND completions ${words}/isoeps.${shell})
  endforeach()
  add_custom_target(manual ALL DEPENDS ${pages}/isoeps.1 ${completions})
  install(DIRECTORY ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR} FILES_MATCHING PATTERN "*.1")
  install(FILES ${words}/isoeps.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME isoeps)
  install(FILES ${words}/isoeps.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _isoeps)
  install(FILES ${words}/isoeps.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# The Debian package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME isoeps)
set(CPACK_PACKAGE_VENDOR "the isoeps authors")
set(ISO_MAINTAINER "The isoeps developers <isoeps@localhost>" CACHE STRING "whom the Debian package names: lintian wants a real address")
set(CPACK_PACKAGE_CONTACT ${ISO_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "compare private generators of synthetic data at equal epsilon")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "isoeps trains differentially private generators of synthetic data under one
privacy ledger and accountant, attacks what they publish, measures what it is
good for, and puts the results into tables and figures.
.
It holds generators, membership and reconstruction attacks, utility and
fidelity metrics, accountants (PLD, RDP, moments, GDP), a record/replay check
of privacy claims, and headers for plug-ins.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "gcc, make, pkgconf, libcjson-dev")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian.cmake)
set(CPACK_ISO_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_ISO_DOC ${CMAKE_INSTALL_DOCDIR})
include(CPack)
