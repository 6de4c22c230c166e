# The Debian package: "cpack -G DEB" in the build directory. The unit expects the programs below /usr, so there is no other prefix.
set(PACKAGE_FILES ${CMAKE_CURRENT_LIST_DIR}/package)
set(PACKAGE_GENERATED ${CMAKE_BINARY_DIR}/package)

configure_file(${PACKAGE_FILES}/changelog ${PACKAGE_GENERATED}/changelog @ONLY)
set(PACKAGE_GZ)
foreach(text ${PACKAGE_GENERATED}/changelog ${PACKAGE_FILES}/tellerd.8 ${PACKAGE_FILES}/tellerctl.1)
  get_filename_component(name ${text} NAME)
  add_custom_command(OUTPUT ${PACKAGE_GENERATED}/${name}.gz DEPENDS ${text} VERBATIM
    COMMAND sh -c "gzip -9nc \"$1\" >\"$2\"" sh ${text} ${PACKAGE_GENERATED}/${name}.gz)
  list(APPEND PACKAGE_GZ ${PACKAGE_GENERATED}/${name}.gz)
endforeach()
add_custom_target(package_documents ALL DEPENDS ${PACKAGE_GZ})

set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
install(TARGETS tellerd RUNTIME DESTINATION sbin)
install(TARGETS tellerctl RUNTIME DESTINATION bin)
install(TARGETS tls_crypto tls_ssl LIBRARY DESTINATION lib/tellerd/tls)
foreach(unit tellerd.service tellerd-churn-export.service tellerd-churn-export.timer)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/${unit} DESTINATION /lib/systemd/system)
endforeach()
install(FILES ${CMAKE_CURRENT_LIST_DIR}/tellerd.sysusers DESTINATION lib/sysusers.d RENAME tellerd.conf)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/tellerd.toml DESTINATION /etc/tellerd)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/policy DESTINATION share/tellerd FILES_MATCHING PATTERN "*.toml")
install(FILES ${PACKAGE_FILES}/copyright ${PACKAGE_GENERATED}/changelog.gz DESTINATION share/doc/tellerd)
install(FILES ${PACKAGE_GENERATED}/tellerd.8.gz DESTINATION share/man/man8)
install(FILES ${PACKAGE_GENERATED}/tellerctl.1.gz DESTINATION share/man/man1)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tellerd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "tellerd maintainers <maintainers@tellerd.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "next best action for the customers of a bank branch")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers, init-system-helpers (>= 1.52), tzdata")
# CPack indents the lines of the description itself.
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"One resident daemon takes in what the systems of a branch report, writes
every event to disk before it is acknowledged, keeps what the branch knows
about each customer, and puts offers into the queues of the contact centre.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE ${PACKAGE_GENERATED}/conffiles "/etc/tellerd/tellerd.toml\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PACKAGE_FILES}/postinst ${PACKAGE_FILES}/prerm ${PACKAGE_FILES}/postrm ${PACKAGE_GENERATED}/conffiles)
include(CPack)
